"""Training of the plate detector and the plate recogniser; imported by no product code."""
