"""What the demo prints: where everything is, and what to click in which order."""

from __future__ import annotations

from saas.demo.seed import PASSWORD, Ports

_TOUR = """
  Tenantry is running. Every password is   {password}

  Public site        {base}/
  Acme Rockets       {acme}/           ada@acme.example (owner), max@acme.example (member)
  Globex             {globex}/         gil@globex.example (owner)
  Superadmin         {admin}/          root@tenantry.example
  Inbox of the demo  {base}/inbox/            what the organisations' plugins sent
                     {base}/inbox/platform/   the platform's own mail: codes, resets

  A tour of five minutes:
   1. Register somebody at {acme}/register/ and open the inbox: a welcome mail and a Slack message of acme.
      The code that confirms the address is in the platform's inbox.
   2. Do the same at {globex}/register/: nothing new in the inbox, for globex has enabled nothing.
   3. Sign in to acme as ada: Orders, new order, confirm it. Two more messages.
   4. Settings, Plugins, Slack notifications: change the channel, press "Test connection", disable it; confirm another order.
   5. Sign in to the superadmin's console as root: Catalog, Orders, withdraw it with a message. Reload acme's pages: they are gone.
      Offer it again: everything is back.
   6. Sign up an organisation of your own at {base}/signup/.

  Ctrl-C stops everything.
"""


def tour(ports: Ports) -> str:
    """The text for these ports."""
    at = "" if ports.web == 80 else f":{ports.web}"
    return _TOUR.format(
        password=PASSWORD,
        base=f"http://localhost{at}",
        acme=f"http://acme.localhost{at}",
        globex=f"http://globex.localhost{at}",
        admin=f"http://admin.localhost{at}",
    )
