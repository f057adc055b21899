"""What a model says of images of a wrong size, and what a driver says, told apart."""

import pytest
from small_run import SIDE

from retention.common.errors import UserError
from retention.training.models import image_size_explained

DRIVERS = [
    "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
    "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(…)`",
    "GET was unable to find an engine to execute this computation",
    "CUDA driver error: operation not supported",
    "nvrtc: error: invalid value for --gpu-architecture (-arch)",
    "HIP error: no kernel image is available",
    "an error of a later version",
]


@pytest.mark.parametrize("text", DRIVERS)
def test_what_a_driver_says_is_no_wrong_image_size(text):
    definition = {"timm": "test_resnet", "model_kwargs": {}, "image_size": SIDE}
    with pytest.raises(RuntimeError) as error, image_size_explained(definition):
        raise RuntimeError(text)
    assert str(error.value) == text
    # Where the size is wrong as well, what is wrong with it is said.
    definition = {"timm": "inception_v3", "image_size": 40}
    with (
        pytest.raises(UserError, match=r"40 pixels \(.*Kernel size can't be greater.*\); correct"),
        image_size_explained(definition),
    ):
        raise RuntimeError(text)
