from .answer_cache import AnswerCache as AnswerCache
from .answer_cache import default_cache as default_cache
from .answer_cache import spending_of as spending_of
from .server_settings import ServerSettings as ServerSettings
