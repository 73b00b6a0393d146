from .descriptives import describe_faces as describe_faces
from .embeddings import load_image_encoder as load_image_encoder
from .face_head_training import LARGE as LARGE
from .face_head_training import SMALL as SMALL
from .face_head_training import train_face_heads as train_face_heads
from .images import read_images as read_images
from .scoring import FaceScorer as FaceScorer
from .vlm_annotation import AnnotateFaces as AnnotateFaces
