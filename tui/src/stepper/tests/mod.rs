//! Tests of the stepper: each pane at each size, every key, and that going back undoes going forwards.
