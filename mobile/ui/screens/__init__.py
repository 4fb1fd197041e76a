"""The screens, one module each, thin: what a view model says, put into widgets."""
