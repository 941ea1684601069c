"""Lumen's API. Every answer depends on the claims of the user; the permissions are all in
access.py."""

from django.db.models import Count, Q
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.response import Response
from rest_framework.views import APIView

from lumen.studies.access import (
    MAY_READ_REPORT,
    MAY_SEE_OVERVIEW,
    MAY_SEE_WORKLIST,
    MAY_SIGN,
    MAY_WRITE_FINDINGS,
    allows,
)
from lumen.studies.models import LONGEST_TEXT, Study

LONGEST_WORKLIST = 200  # rows


class SessionView(APIView):
    """The signed-in user and the pages available to them."""

    def get(self, request):
        claims = request.user_claims
        return Response({
            "id": claims["id"], "name": claims.get("name", claims["email"]), "role": request.user.role, "clinic": claims.get("clinic", ""),
            "pages": [page for page, permission in (("worklist", MAY_SEE_WORKLIST), ("overview", MAY_SEE_OVERVIEW))
                      if allows(permission, request)]})


class WorklistView(APIView):
    permission_classes = MAY_SEE_WORKLIST

    def get(self, request):
        studies = list(_worklist_of(request.user, request.user_claims)[:LONGEST_WORKLIST])
        return Response({"rows": [_row(study, allows(MAY_READ_REPORT, request, study)) for study in studies]})


def _worklist_of(user, claims):
    everything = Study.objects.all()
    if user.has_role("admin"):
        return everything
    own = everything.filter(clinic=claims.get("clinic"))
    return own.exclude(state=Study.State.SCHEDULED) if user.has_role("doctor") else own


def _row(study, clinical):
    row = {"number": study.number, "clinic": study.clinic, "scheduled_at": study.scheduled_at, "patient": study.patient,
           "born": study.born, "opens": clinical}
    if clinical:
        row.update(exam=study.exam, indication=study.indication, state=study.state)
    return row


class ReportView(APIView):
    permission_classes = MAY_READ_REPORT

    def get(self, request, number):
        return Response(_report(request, _study(self, request, number)))


def _study(view, request, number):
    study = get_object_or_404(Study, number=number)
    view.check_object_permissions(request, study)
    return study


def _report(request, study):
    return {**_row(study, True), "record_number": study.record_number, "findings": study.findings, "performed_by": study.performed_by,
            "impression": study.impression, "signed_by": study.signed_by, "signed_at": study.signed_at, "may": {
                "write_findings": study.state != Study.State.SIGNED and allows(MAY_WRITE_FINDINGS, request, study),
                "sign": study.state == Study.State.PERFORMED and allows(MAY_SIGN, request, study)}}


class _Text(serializers.Serializer):
    text = serializers.CharField(max_length=LONGEST_TEXT)


class _StepView(APIView):
    """A step of a study. If another user has taken it meanwhile, the result is a conflict; nothing
    is overwritten."""

    def post(self, request, number):
        study = _study(self, request, number)
        given = _Text(data=request.data)
        given.is_valid(raise_exception=True)
        if not self.take(study, given.validated_data["text"], request.user_claims.get("name", request.user.id)):
            return Response({"detail": "Another user has changed this study in the meantime."}, status=status.HTTP_409_CONFLICT)
        study.refresh_from_db()
        return Response(_report(request, study))

    def take(self, study, text, name):
        raise NotImplementedError


class FindingsView(_StepView):
    permission_classes = MAY_WRITE_FINDINGS

    def take(self, study, text, name):
        return Study.objects.filter(pk=study.pk, state=study.state, findings=study.findings).exclude(state=Study.State.SIGNED).update(
            state=Study.State.PERFORMED, findings=text, performed_by=name)


class SignatureView(_StepView):
    """A doctor signs the current findings."""

    permission_classes = MAY_SIGN

    def take(self, study, text, name):
        return Study.objects.filter(pk=study.pk, state=Study.State.PERFORMED, findings=study.findings).update(
            state=Study.State.SIGNED, impression=text, signed_by=name, signed_at=timezone.now())


class OverviewView(APIView):
    permission_classes = MAY_SEE_OVERVIEW

    def get(self, request):
        counts = {state: Count("pk", filter=Q(state=state)) for state in Study.State.values}
        return Response({"clinics": list(Study.objects.order_by("clinic").values("clinic").annotate(**counts))})
