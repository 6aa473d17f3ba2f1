//! What the FTP helper keeps of a control connection: which answer it awaits, and how far the numbers are shifted.

/// What the helper keeps of a control connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ipvs) struct Helper {
    /// The answer that is looked for.
    pub(in crate::ipvs::ftp) awaits: Awaits,
    /// What its rewritten payloads have come to.
    pub(in crate::ipvs::ftp) shift: Shift,
}

/// Which answer of the server names an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ipvs) enum Awaits {
    #[default]
    Nothing,
    /// `227`, after PASV.
    Passive,
    /// `229`, after EPSV.
    ExtendedPassive,
}

/// How far the numbers of the server's octets are shifted, before and after the last payload that was rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ipvs) struct Shift {
    /// The server's own number of that payload's first octet.
    at: u32,
    before: i32,
    after: i32,
}

impl Shift {
    /// The payload at `number` became so much longer.
    pub(in crate::ipvs::ftp) fn add(&mut self, number: u32, grown: i32) {
        if self.before == self.after || is_after(number, self.at) {
            (self.at, self.before) = (number, self.after);
            self.after += grown;
        }
    }

    /// By how much the number of the server's octet is higher for the client.
    pub(in crate::ipvs::ftp) fn of_sequence(&self, number: u32) -> i32 {
        if is_after(number, self.at) { self.after } else { self.before }
    }

    /// By how much a number that the client acknowledges is too high for the server.
    pub(in crate::ipvs::ftp) fn of_acknowledgement(&self, number: u32) -> i32 {
        let own = number.wrapping_sub(self.before as u32);
        if is_after(own, self.at) { self.after } else { self.before }
    }
}

/// Whether one sequence number comes after another, as TCP counts.
fn is_after(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shifted_behind_the_rewritten_payload_and_not_before() {
        let mut shift = Shift::default();
        shift.add(1000, 3);
        assert_eq!((shift.of_sequence(1000), shift.of_sequence(1050)), (0, 3));
        assert_eq!((shift.of_acknowledgement(1000), shift.of_acknowledgement(1053)), (0, 3));
        shift.add(1100, -1);
        assert_eq!((shift.of_sequence(1100), shift.of_sequence(1101)), (3, 2));
        let mut wrapped = Shift::default();
        wrapped.add(u32::MAX - 5, 4);
        assert_eq!((wrapped.of_sequence(u32::MAX - 5), wrapped.of_sequence(20)), (0, 4));
    }
}
