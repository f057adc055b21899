"""The site: pages of the repository and pages made from its sources, built by Sphinx."""
