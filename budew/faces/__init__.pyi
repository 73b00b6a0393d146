from .descriptives import describe_faces as describe_faces
from .embeddings import load_image_encoder as load_image_encoder
from .images import read_images as read_images
from .scoring import FaceScorer as FaceScorer
from .train_face_heads import LARGE as LARGE
from .train_face_heads import SMALL as SMALL
from .train_face_heads import train_face_heads as train_face_heads
from .vlm_annotation import AnnotateFaces as AnnotateFaces
