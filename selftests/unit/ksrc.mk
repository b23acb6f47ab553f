# SPDX-License-Identifier: GPL-2.0
# Where the kernel's user-space helpers (rbtree, list, kselftest_harness.h) come
# from: KSRC, else the tree that KSFT lies in, else unpacked from Debian's
# linux-source package into the build directory.  Never copied into this tree.

OUTPUT ?= $(CURDIR)/build
KSFT ?=
ifeq ($(KSRC),)
override KSRC := $(if $(KSFT),$(abspath $(KSFT)/../../..))
endif

ifeq ($(KSRC),)
KTAR := $(lastword $(sort $(wildcard /usr/src/linux-source-*.tar.xz)))
ifeq ($(KTAR),)
$(error no kernel source: set KSRC=, or install the package linux-source)
endif
override KSRC := $(OUTPUT)/ksrc
KSRC_STAMP := $(KSRC)/.stamp
endif

KTOP := $(patsubst %.tar.xz,%,$(notdir $(KTAR)))
KFILES := tools/include tools/lib/rbtree.c include/net/tcp_states.h \
	tools/testing/selftests/kselftest.h \
	tools/testing/selftests/kselftest_harness.h

$(OUTPUT)/ksrc/.stamp: $(KTAR)
	@mkdir -p $(@D)
	tar -C $(@D) --strip-components=1 -xJf $< $(addprefix $(KTOP)/,$(KFILES))
	@touch $@

KINC := -isystem $(UNIT)/shim -isystem $(OUTPUT)/include \
	-isystem $(KSRC)/tools/include -isystem $(KSRC)/tools/testing/selftests

# The states' numbers are the kernel's own; the rest of include/ stays outside
$(OUTPUT)/include/net/tcp_states.h: $(KSRC_STAMP)
	@mkdir -p $(@D)
	@ln -sfn $(KSRC)/include/net/tcp_states.h $@
