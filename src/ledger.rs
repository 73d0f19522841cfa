//! The ledger: which offsets may be committed, and how a rebalance is answered.
