//! Ports that nobody may let us open a TCP connection to: those of other protocols, whose servers could take a check for a command.

/// The ports that browsers block (Fetch standard, "bad port"), in order.
const BLOCKED: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
    526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
    3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Whether a candidate of the peer with this TCP port is to be ignored ("administratively prohibited", W3C 4.4.2).
pub(super) fn is_blocked(port: u16) -> bool {
    BLOCKED.binary_search(&port).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_other_protocols_are_blocked_and_no_others() {
        assert!(BLOCKED.is_sorted());
        assert!([1, 25, 6667, 10080].into_iter().all(is_blocked));
        assert!(![80, 443, 3478, 8080, 50_000].into_iter().any(is_blocked));
    }
}
