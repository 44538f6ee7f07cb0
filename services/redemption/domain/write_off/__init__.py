"""Write-off rules: what points pay for, how much of it, and at what price. Pure."""
