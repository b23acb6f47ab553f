# SPDX-License-Identifier: GPL-2.0
# make          xtcp.ko for the running kernel, or for KDIR= (a kernel's build folder)
# make demo     a file over XTCP between two hosts, and the picture of the connection
# make check    all tests; K="uml 6.12" and T="conform api/connect" narrow it
# make soak     a hundred rounds of load, traffic, unload on the debug kernel
# make bench    XTCP beside kernel TCP
KDIR ?= /lib/modules/$(shell uname -r)/build

all: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

headers:
	@test -e $(KDIR)/Makefile || { echo "Cannot build: no kernel headers in $(KDIR)" \
		"(install linux-headers-$$(uname -r), or name another kernel's with KDIR=)." >&2; exit 1; }

clean: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

check:
	+@scripts/check

soak:
	+@scripts/check soak

demo bench:
	+@scripts/packages
	+@scripts/$@

.PHONY: all headers clean check soak demo bench
