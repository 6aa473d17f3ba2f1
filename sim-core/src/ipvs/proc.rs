//! `/proc/net/ip_vs`
