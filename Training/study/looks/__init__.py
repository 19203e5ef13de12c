"""How much has to be looked at: early looks held against the average over all copies, and the rule that ends them."""
