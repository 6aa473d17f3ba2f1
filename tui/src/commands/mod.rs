//! One file per command of `lvslab`.

pub(crate) mod bench;
