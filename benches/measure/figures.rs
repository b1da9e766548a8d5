//! Medians, ratios, and the digits they are shown with.

/// The median with the least and the greatest.
pub(crate) fn ratio(ratios: Vec<f64>) -> String {
    if ratios.is_empty() || !ratios.iter().all(|ratio| ratio.is_finite()) {
        return "-".to_owned();
    }
    let (low, high) = ratios.iter().fold((f64::MAX, f64::MIN), |(low, high), ratio| (low.min(*ratio), high.max(*ratio)));
    format!("{} ({}..{})", number(median(ratios)), number(low), number(high))
}

/// Of an even number the middle of the two in the middle; of none, no number.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if !odd.is_multiple_of(2) => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Three digits.
pub(crate) fn number(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
