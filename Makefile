# What people type. No logic here: each target calls cargo.
#
#   make demo [EXIT=1]     a Service's life on a real cluster; stays up until Ctrl-C, or cleans up with EXIT=1
#   make test              everything there is to check; ends with "N passed, M failed"
#   make lab / lab-down    a cluster to play with / take it away
#   make prove [P=name]    the proofs: all, the named ones, P=list to list them, P=all to record docs/results.md
#   make bench [B=name]    the benches, likewise
CARGO ?= cargo
PROVE = $(CARGO) run --quiet -p ferrolb-prove --
LAB = $(CARGO) run --quiet -p ferrolb-lab --bin lab --

.PHONY: demo test lab lab-down prove bench

demo:
	$(PROVE) demo $(if $(EXIT),--exit)

test:
	$(PROVE) test

lab:
	$(LAB) up $(ARGS)

lab-down:
	$(LAB) down $(ARGS)

prove:
	$(PROVE) run $(P) $(ARGS)

bench:
	$(PROVE) bench $(B) $(ARGS)
