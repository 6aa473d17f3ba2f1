//! Room apps.
