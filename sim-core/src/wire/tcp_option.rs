//! The options of a TCP header (RFC 9293, section 3.1), one after another. Reads any bytes: an option whose length makes
//! no sense ends the list.

/// End of the list.
pub const END: u8 = 0;
/// One octet of padding.
pub const NOP: u8 = 1;
/// Maximum segment size: four octets, in a SYN.
pub const MSS: u8 = 2;
/// Window scale: three octets, in a SYN.
pub const WINDOW_SCALE: u8 = 3;
/// SACK permitted: two octets, in a SYN.
pub const SACK_PERMITTED: u8 = 4;
/// Selective acknowledgement: two octets and eight a block.
pub const SACK: u8 = 5;
/// Time stamps (RFC 7323): ten octets.
pub const TIMESTAMP: u8 = 8;

/// An option that is no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpOption<'a> {
    /// Where it begins in the list.
    pub at: usize,
    /// Its kind.
    pub kind: u8,
    /// What follows kind and length.
    pub value: &'a [u8],
}

impl TcpOption<'_> {
    /// Octets of the whole option.
    pub fn length(&self) -> usize {
        2 + self.value.len()
    }
}

/// The options in `list`, which is what stands between the fixed header and the payload; padding is left out.
pub fn walk(list: &[u8]) -> impl Iterator<Item = TcpOption<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while list.get(at) == Some(&NOP) {
            at += 1;
        }
        let kind = *list.get(at).filter(|kind| **kind != END)?;
        let length = usize::from(*list.get(at + 1)?);
        let value = list.get(at + 2..at + length)?;
        let option = TcpOption { at, kind, value };
        at += length;
        Some(option)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn padding_is_passed_over_and_the_end_ends() {
        let list = [2, 4, 5, 180, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 3, 7];
        let kinds: Vec<_> = walk(&list).map(|option| (option.at, option.kind, option.length())).collect();
        assert_eq!(kinds, [(0, MSS, 4), (6, TIMESTAMP, 10)]);
    }

    #[test]
    fn a_length_that_makes_no_sense_ends_the_list() {
        for broken in [&[8_u8, 1, 0][..], &[8, 0], &[8], &[2, 4, 5]] {
            assert_eq!(walk(broken).count(), 0, "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn any_list_ends(list in prop::collection::vec(any::<u8>(), 0..60)) {
            let octets: usize = walk(&list).map(|option| option.length()).sum();
            prop_assert!(octets <= list.len());
        }
    }
}
