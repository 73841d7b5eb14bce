# pyright: strict
"""Alarms without a server: mail, webhook and a ping whose absence tells, straight from the installation."""
