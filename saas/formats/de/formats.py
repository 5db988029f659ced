"""How dates are written in German; what is not said here is Django's."""

DATETIME_FORMAT = "d.m.Y, H:i T"
DATE_FORMAT = "d.m.Y"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "j. M"
