"""Whether everything works: the health page, figures for monitoring, the support bundle."""
