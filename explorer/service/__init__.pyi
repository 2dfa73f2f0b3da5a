from ._application import create_app as create_app
from ._server import RunningService as RunningService
from ._server import serve as serve
from ._server import start_service as start_service
from ._service_settings import ServiceSettings as ServiceSettings
