"""Price indices of a changing set of items: matched models, multilateral methods, time dummies.

Every function takes a long panel with one row per `period` and `item`: `price` in any one unit, for weighted formulas
`quantity`, and, for intervals, `cluster`, the group in which prices move together (the provider of an offer). Every
function gives one row per period, in order, with `index_value` 1 in the base period, the first one that has a price:

- `ln_change`: natural log change of the index against the period before it;
- `lo90`, `hi90`: 90 % limits of `index_value`, not of the change;
- `n_items`: items with a price; `n_matched`: those of them that the period it is compared with has too, which is the
  base for a fixed base and the period before otherwise; `n_clusters`: clusters with a price;
- `reason`: why a number is missing.

An item that is priced in one of two periods only says nothing about the change between them: entry and exit move
nothing, except in `hedonic`, which explains the prices of new items, and in `unmatched_median`, which is here to show
what goes wrong without matching. A price of 0 has no logarithm and no relative: an item is missing while it is free.

The limits treat the clusters as drawn at random and whatever happens within one as dependent, over time too. They are
a jackknife: the log index is worked out again without each cluster in turn, its variance is (G - 1) / G times the sum
of the squared differences, and the limits are those of Student's t with G - 1 degrees of freedom. G counts the clusters
that have had items to compare since the base. What rests on a single cluster cannot be worked out without it and adds
nothing to the variance.

Formulas: Balk, "Price and Quantity Index Numbers" (2008), and the Producer Price Index Manual (IMF 2004), chapters 15,
16 and 20; multilateral methods and splices: Diewert and Fox, "Substitution Bias in Multilateral Methods for CPI
Construction" (2022).
"""

from pipeline.analytics.index.methods import bilateral, geks, hedonic, jevons, time_product_dummy, unmatched_median
from pipeline.analytics.index.paths import FORMULAS, REVERSIBLE, Splice
from pipeline.analytics.index.table import PRICE_INDEX_COLUMNS, price_index

__all__ = [
    "FORMULAS",
    "PRICE_INDEX_COLUMNS",
    "REVERSIBLE",
    "Splice",
    "bilateral",
    "geks",
    "hedonic",
    "jevons",
    "price_index",
    "time_product_dummy",
    "unmatched_median",
]
