"""Training of the feature networks that ship: classes of many data sets, and a teacher."""
