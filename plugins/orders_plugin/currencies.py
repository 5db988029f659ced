"""The currencies that orders can have: those whose smallest unit is a hundredth, as prices here have two decimals."""

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "AUD", "CAD", "CZK", "DKK", "INR", "NOK", "NZD", "PLN", "SEK", "SGD", "ZAR")
DEFAULT_CURRENCY = "EUR"
