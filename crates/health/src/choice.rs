//! The choice among equals: two are drawn by weight, and the second has the place only where it is
//! clearly less loaded.
//!
//! Power of two choices: always taking the least loaded sends everybody to the same one, the moment
//! it looks best. Latency is noisy, so a small difference does not count and the weights decide.

/// How many times as loaded the first must be as the second would be, for the second to be taken.
const CLEARLY: f64 = 1.5;

/// One of several that may be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contender {
    /// Where it stands among the candidates.
    pub(crate) at: usize,
    pub(crate) weight: u32,
    /// How loaded it is, and how loaded it would be with one more.
    pub(crate) load: f64,
    pub(crate) joined: f64,
}

/// Returns the contenders' places: the chosen one, then the others by load.
pub(crate) fn choose(mut contenders: Vec<Contender>, roll: [f64; 2]) -> Vec<usize> {
    contenders.sort_by(|one, other| one.load.total_cmp(&other.load));
    let mut chosen = Vec::with_capacity(contenders.len());
    if let Some(first) = winner(&contenders, roll) {
        chosen.push(contenders.remove(first).at);
    }
    chosen.extend(contenders.into_iter().map(|contender| contender.at));
    chosen
}

fn winner(contenders: &[Contender], roll: [f64; 2]) -> Option<usize> {
    let first = draw(contenders, None, roll[0])?;
    let Some(second) = draw(contenders, Some(first), roll[1]) else { return Some(first) };
    let clearly = contenders[first].load > contenders[second].joined * CLEARLY;
    Some(if clearly { second } else { first })
}

/// Draws one by weight, but for the one that was drawn already; no weight at all is an equal one.
fn draw(contenders: &[Contender], but: Option<usize>, roll: f64) -> Option<usize> {
    let free = || (0..contenders.len()).filter(|at| Some(*at) != but);
    let total: f64 = free().map(|at| f64::from(contenders[at].weight)).sum();
    let weight = |at: usize| if total > 0.0 { f64::from(contenders[at].weight) } else { 1.0 };
    let whole: f64 = free().map(weight).sum();
    let mut left = roll * whole;
    for at in free() {
        left -= weight(at);
        if left < 0.0 {
            return Some(at);
        }
    }
    free().next_back()
}
