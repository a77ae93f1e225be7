"""Moments as people say them, in each language; no locale of the machine is asked."""

from datetime import datetime, tzinfo

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
}


def moment_in_words(at: datetime, zone: tzinfo, language: str) -> str:
    """Return "Monday, 10 March 2025, 4:11 PM EDT", "lunes 10 de marzo de 2025, 16:11 EDT"."""
    local = at.astimezone(zone)
    day, month = _DAYS[language][local.weekday()], _MONTHS[language][local.month - 1]
    time = time_in_words(at, zone, language)
    if language == "es":
        return f"{day} {local.day} de {month} de {local.year}, {time}"
    return f"{day}, {local.day} {month} {local.year}, {time}"


def weekday_in_words(at: datetime, zone: tzinfo, language: str) -> str:
    """Return "Monday, 11:59 PM EDT", "lunes (23:59 EDT)"."""
    day, time = _DAYS[language][at.astimezone(zone).weekday()], time_in_words(at, zone, language)
    return f"{day} ({time})" if language == "es" else f"{day}, {time}"


def time_in_words(at: datetime, zone: tzinfo, language: str) -> str:
    """Return "4:11 PM EDT", "16:11 EDT"."""
    local = at.astimezone(zone)
    if language == "es":
        return f"{local.hour}:{local:%M %Z}"
    return f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'} {local:%Z}"
