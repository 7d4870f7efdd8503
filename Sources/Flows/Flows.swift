@_exported import Files
@_exported import Plots
@_exported import Training
@_exported import Verification
