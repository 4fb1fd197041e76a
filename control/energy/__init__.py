"""The microgrid: forecast, plan, dispatch, diagnosis of PV, and the compiled kernels behind them."""
