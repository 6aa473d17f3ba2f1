//! A row of the tables of settings.

/// A setting of the kernel: its name, its value at the start, the values it takes.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name with dots; for settings of an interface, the last part.
    pub name: &'static str,
    /// The numbers at the start.
    pub default: &'static [i64],
    /// The smallest number it takes.
    pub min: i64,
    /// The largest.
    pub max: i64,
}
