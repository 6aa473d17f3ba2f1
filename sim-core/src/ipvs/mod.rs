//! Room ipvs.
