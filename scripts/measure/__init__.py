"""The measurements of bsrepl: each row is ours beside a peer, in the same run, with the target it is to meet."""
