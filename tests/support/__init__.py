"""What our own tests share beside `saas.testing`: settings forms as they are filled in and drawn."""
