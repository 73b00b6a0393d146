from .server import served as served
