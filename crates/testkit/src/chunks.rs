//! Cuts of bytes into pieces, the same for the same seed: material for the law that a reader
//! gives the same events however the network cut its input. Joined, the pieces are the input.

use bytes::Bytes;

/// Returns the bytes cut in pieces of pseudo-random size, many of them a single byte.
///
/// Seed 0 cuts after every byte; no piece is empty.
pub fn splits(bytes: &Bytes, seed: u64) -> Vec<Bytes> {
    let mut dice = Dice(seed);
    let mut rest = bytes.clone();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let size = dice.size().min(rest.len());
        pieces.push(rest.split_to(size));
    }
    pieces
}

/// A xorshift generator. Zero, its one fixed point, is kept: it means single bytes throughout.
struct Dice(u64);

impl Dice {
    /// Half of the pieces are one byte, a quarter up to 8, a quarter up to 256: enough to cut
    /// inside a line end, a UTF-8 sequence and an escape, and still to let whole events through.
    fn size(&mut self) -> usize {
        let roll = self.roll();
        let longest = match roll % 4 {
            0 | 1 => return 1,
            2 => 8,
            _ => 256,
        };
        // The remainder is below 256, so it fits whatever a usize is here.
        1 + usize::try_from((roll >> 8) % longest).unwrap_or(0)
    }

    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> Bytes {
        Bytes::from((0..2_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>())
    }

    #[test]
    fn pieces_join_to_the_input() {
        for seed in 0..64 {
            let pieces = splits(&input(), seed);
            assert!(pieces.iter().all(|piece| !piece.is_empty()));
            assert_eq!(pieces.concat(), input());
        }
    }

    #[test]
    fn a_seed_always_cuts_alike() {
        assert_eq!(splits(&input(), 7), splits(&input(), 7));
        assert_ne!(splits(&input(), 7), splits(&input(), 8));
    }

    #[test]
    fn every_seed_has_single_bytes() {
        for seed in 1..64 {
            let pieces = splits(&input(), seed);
            assert!(pieces.iter().any(|piece| piece.len() == 1));
            assert!(pieces.iter().any(|piece| piece.len() > 8));
        }
    }

    #[test]
    fn seed_zero_is_all_single_bytes() {
        assert!(splits(&input(), 0).iter().all(|piece| piece.len() == 1));
    }

    #[test]
    fn nothing_has_no_pieces() {
        assert_eq!(splits(&Bytes::new(), 3), Vec::<Bytes>::new());
    }
}
