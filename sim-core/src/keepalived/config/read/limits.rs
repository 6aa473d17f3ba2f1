//! How large numbers may be.

/// `UINT_MAX / 1000000`: what a timer in microseconds holds, in seconds.
pub(super) const SECONDS_MAX: u32 = u32::MAX / 1_000_000;
/// The same for timers with a point, in microseconds.
pub(super) const TIMER_MAX: u64 = u32::MAX as u64;
/// 31 days in seconds: what IPVS takes for a timeout.
pub(super) const LVS_TIMEOUT_MAX: u32 = 86_400 * 31;
/// The largest weight IPVS takes.
pub(super) const WEIGHT_MAX: u32 = i32::MAX as u32;
/// A timer without a limit of its own, in microseconds: 2^64-1 divided by 10^6 is too far away for anybody.
pub(super) const TIMER_UNLIMITED: u64 = u64::MAX / 1_000_000;
