from .rating_page import RatingPages as RatingPages
from .server import serve_app as serve_app
