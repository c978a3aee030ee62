"""Wiring of pipeline `predict`. Its nodes always run: other pictures may lie there now."""

from kedro.pipeline import Node, Pipeline

from pt4al.pipelines.predict import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.build_pool, ["runs", "parameters"], "predict_pool", name="build_predict_pool"
            ),
            Node(
                nodes.predict, ["runs", "predict_pool", "parameters"], "predictions", name="predict"
            ),
            Node(nodes.shorten, "predictions", "predictions_list", name="list_predictions"),
            Node(
                nodes.draw,
                ["predict_pool", "predictions"],
                "predictions_pictures",
                name="draw_predictions",
            ),
            Node(
                nodes.export_onnx,
                ["runs", "predict_pool", "parameters"],
                "onnx",
                name="export_onnx",
            ),
            Node(
                nodes.write_page,
                ["runs", "predict_pool", "predictions", "predictions_pictures", "parameters"],
                "predictions_page",
                name="write_predictions",
            ),
        ],
        tags=["predict", "always"],
    )
