"""What the timed calls are called, in the processes that make them and in the table."""

OURS, OURS_ALONE = "call_hook", "call_hook, no transaction"
PLUGGY = "pluggy, subset caller cached"
SIGNAL, SIGNAL_BY_SENDER = "Signal.send_robust, receivers ask", "Signal.send_robust, by sender, cached"
BLINKER, BLINKER_BY_SENDER = "blinker, receivers ask", "blinker, by sender"
