use helm_cnidiff::comparison::Comparison;
pub(crate) fn hostile() -> Comparison {
    crate::samples::everything()
}
