//! A sliding window: a ring of slices of time, each holding what happened in it.
//!
//! The oldest slice is forgotten as a whole, so what is remembered spans between `LEN - 1` and
//! `LEN` slices.

use std::time::Duration;

/// The last `LEN` slices of time.
#[derive(Debug, Clone)]
pub(crate) struct Slices<T, const LEN: usize> {
    /// How many nanoseconds a slice lasts.
    length: u128,
    /// The number of the newest slice, counted from the origin of time.
    newest: u128,
    slices: [T; LEN],
}

impl<T: Default, const LEN: usize> Slices<T, LEN> {
    pub(crate) fn new(window: Duration) -> Self {
        let length = (window.as_nanos() / LEN as u128).max(1);
        Self { length, newest: 0, slices: std::array::from_fn(|_| T::default()) }
    }

    /// Returns the slice of `now`, forgetting those that time has passed.
    pub(crate) fn at(&mut self, now: Duration) -> &mut T {
        let number = self.number(now);
        let passed = (number - self.newest).min(LEN as u128);
        for back in 0..passed {
            self.slices[Self::place(number - back)] = T::default();
        }
        self.newest = number;
        &mut self.slices[Self::place(number)]
    }

    /// Returns the slices that are still within the window.
    pub(crate) fn recent(&self, now: Duration) -> impl Iterator<Item = &T> {
        let passed = self.number(now) - self.newest;
        let kept = (LEN as u128).saturating_sub(passed).min(self.newest + 1);
        (0..kept).map(|back| &self.slices[Self::place(self.newest - back)])
    }

    /// Returns the number of a moment's slice; a moment before the newest counts as the newest.
    fn number(&self, now: Duration) -> u128 {
        (now.as_nanos() / self.length).max(self.newest)
    }

    fn place(number: u128) -> usize {
        (number % LEN as u128) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Slices;

    fn sum(slices: &Slices<u32, 4>, second: u64) -> u32 {
        slices.recent(Duration::from_secs(second)).sum()
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut slices = Slices::<u32, 4>::new(Duration::from_secs(40));
        for second in [5, 15, 25, 35] {
            *slices.at(Duration::from_secs(second)) += 1;
        }
        assert_eq!(sum(&slices, 39), 4);
        assert_eq!(sum(&slices, 45), 3);
        *slices.at(Duration::from_secs(45)) += 1;
        assert_eq!(sum(&slices, 45), 4);
        assert_eq!(sum(&slices, 1_000), 0);
        *slices.at(Duration::from_secs(1_000)) += 1;
        assert_eq!(sum(&slices, 1_000), 1);
    }
}
