-- Results whose output is gone are forgotten some time later, the oldest first.
CREATE INDEX results_without_output ON results (found_at) WHERE gone = 1;
