"""An app of one command. It stands before django.contrib.auth, whose command of that name it takes the place of."""
