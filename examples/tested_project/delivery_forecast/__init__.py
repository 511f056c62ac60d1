"""When will the open issues of a query be done?"""

from delivery_forecast.audited_backend import AuditedBackend
from delivery_forecast.forecast import forecast, store_forecast
from delivery_forecast.throughput import Forecast

__all__ = ["AuditedBackend", "Forecast", "forecast", "store_forecast"]
