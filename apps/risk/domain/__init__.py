"""Rules of risk: the gate's checks, sizing and the risk factor. Pure: no Django, no clock, no input or output."""
