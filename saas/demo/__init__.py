"""The demo: two organisations, a real mail sink and a real webhook sink, and pages that show what arrived in them."""
