"""The board's page, under /apps/board/; for everybody."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from acme_board.views import Board

urlpatterns = [path("", login_not_required(Board.as_view()), name="board")]
