"""A stand-in for a GPU whose copies come as late as the order of its events allows."""

import threading
from collections import deque

import torch


class LateCopies:
    """A device whose copies happen when somebody waits for one: it and all before it, in order.

    So a byte that is overwritten before its copy, or read before it, is seen to be wrong. Memory
    of the device that nobody has copied to yet holds ones.
    """

    def __init__(self):
        self.lock, self.waiting = threading.Lock(), deque()
        self.pinning, self.receiving = [], set()

    def pinned(self, count):
        self.pinning.append(threading.current_thread())
        return torch.zeros(count, dtype=torch.uint8)

    def start(self, host):
        given, copied = torch.ones_like(host), Copied(self)
        with self.lock:
            self.waiting.append((copied, given, host))
        return given, copied

    def await_on_device(self, given, copied):
        self.receiving.add(threading.current_thread())
        copied.synchronize()


class Copied:
    def __init__(self, copies):
        self.copies, self.done = copies, False

    def synchronize(self):
        with self.copies.lock:
            while not self.done:
                copied, given, host = self.copies.waiting.popleft()
                given.copy_(host)
                copied.done = True
