"""How dates are written, by language, where Django's way is not ours."""
