"""Mistakes in scripts, outside of any module: each a piece of a script of its own.

`n` is the batch, which the script is given; it is run with two of them.
"""

SCRIPTS = {
    "matrices that do not meet": """
import torch
a = torch.randn(n, 16)
w = torch.randn(10, 16)
scores = a @ w
print(scores.shape)
""",
    "loss of classes against one-hot rows": """
import torch
import torch.nn.functional as F
logits = torch.randn(n, 5)
labels = torch.zeros(n, 1, dtype=torch.int64)
loss = F.cross_entropy(logits, labels)
""",
    "loss module against floats": """
import torch
from torch import nn
net = nn.Linear(8, 3)
criterion = nn.CrossEntropyLoss()
x, y = torch.randn(n, 8), torch.zeros(n)
loss = criterion(net(x), y)
loss.backward()
""",
    "BCE of verdicts with a dimension": """
import torch
from torch import nn
net = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
x, y = torch.randn(n, 8), torch.ones(n)
loss = nn.BCELoss()(net(x), y)
""",
    "view of the features": """
import torch
x = torch.randn(n, 16, 5, 5)
flat = x.view(n, 16 * 4 * 4)
""",
    "concatenation of a map and a mask": """
import torch

def joined(pictures, masks):
    both = torch.cat([pictures, masks], dim=1)
    return both

joined(torch.randn(n, 3, 8, 8), torch.zeros(n, 8, 8))
""",
    "stack of unequal rows": """
import torch
rows = torch.randn(n, 4)
more = torch.randn(n, 6)
both = torch.cat((rows, more))
""",
    "attention by hand": """
import torch
q = torch.randn(n, 6, 32)
k = torch.randn(n, 6, 32)
v = torch.randn(n, 6, 32)
weights = (torch.bmm(q, k) / 32 ** 0.5).softmax(-1)
out = torch.bmm(weights, v)
""",
    "normalising a picture by its channels": """
import torch
pictures = torch.rand(n, 3, 10, 12)
mean = torch.tensor([0.485, 0.456, 0.406])
normal = pictures - mean
""",
    "convolution of a numpy picture": """
import torch
import torch.nn.functional as F
picture = torch.rand(n, 20, 20, 3)
kernel = torch.rand(4, 3, 5, 5)
edges = F.conv2d(picture, kernel)
""",
    "accuracy of a wrong dimension": """
import torch
scores = torch.randn(n, 10)
labels = torch.zeros(n, dtype=torch.int64)
right = (scores.argmax(dim=2) == labels).float().mean()
""",
    "mixing weights": """
import torch
weights = torch.rand(n)
pictures = torch.rand(n, 3, 7, 9)
mixed = weights * pictures
""",
}
